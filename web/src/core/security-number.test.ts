/** The security number, held to protocol/vectors/security-number.json. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fingerprintOf, securityNumber } from "./security-number";

interface Vector {
  fingerprints: [string, string];
  number?: string;
}

const FILE = new URL("../../../protocol/vectors/security-number.json", import.meta.url);
const VECTORS = JSON.parse(readFileSync(FILE, "ascii")) as Vector[];

test.each(VECTORS)("$fingerprints", async ({ fingerprints: [one, other], number }) => {
  if (number === undefined) {
    await expect(securityNumber(one, other)).rejects.toThrow("not the SHA-256 fingerprint");
    return;
  }
  expect(await securityNumber(one, other)).toBe(number);
  expect(await securityNumber(other, one)).toBe(number);
});

test("the fingerprint of a description, where there is no doubt which", () => {
  const line = "a=fingerprint:sha-256 AB:CD\r\n";
  expect(fingerprintOf(`v=0\r\n${line}m=audio 9\r\n${line.toLowerCase()}m=video 9\r\n`)).toBe("AB:CD");
  expect(fingerprintOf("v=0\r\n")).toBeNull();
  expect(fingerprintOf(`${line}a=fingerprint:sha-256 AB:CE\r\n`)).toBeNull();
  expect(fingerprintOf(`${line}a=fingerprint:sha-384 AB:CD\r\n`)).toBeNull();
  expect(fingerprintOf("a=fingerprint:sha-1 AB:CD\r\n")).toBeNull();
});
