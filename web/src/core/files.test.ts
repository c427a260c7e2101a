import { expect, test } from "vitest";
import { fitted, isPicture, kindOf, Meter, nameParts, plainName } from "./files";

test("a name to save under has no path and nothing that deceives", () => {
  const cases = [
    ["harbour.jpg", "harbour.jpg"],
    ["..\\..\\virus.exe", "virus.exe"],
    ["/etc/passwd", "passwd"],
    ["invoice\u202efdp.exe", "invoice_fdp.exe"],
    ["a\u0000b\nc.txt", "a_b_c.txt"],
    ["...", "file"],
    ["", "file"],
    ["\ud800x", "\ufffdx"],
    ["отчёт за май.pdf", "отчёт за май.pdf"],
  ] as const;
  for (const [name, plain] of cases) expect(plainName(name)).toBe(plain);
});

test("a long name keeps its extension and what stands before it, a short one is whole", () => {
  expect(nameParts("short.txt")).toEqual(["", "short.txt"]);
  expect(nameParts("minutes of the meeting in May.docx")).toEqual(["minutes of the meeting i", "n May.docx"]);
  expect(nameParts("a name that goes on and on without one")).toEqual(["a name that goes on and on withou", "t one"]);
  const emoji = "🦊".repeat(30);
  expect(nameParts(emoji)[1]).toBe("🦊".repeat(5));
  for (const name of ["x".repeat(300), `${"y".repeat(50)}.${"z".repeat(50)}`]) {
    expect(nameParts(name).join("")).toBe(name);
    expect(nameParts(name)[1]).toHaveLength(5);
  }
});

test("what may run is a program whatever else it is", () => {
  expect(kindOf({ type: "image/png", warning: "program" })).toBe("program");
  expect(kindOf({ type: "image/svg+xml" })).toBe("file");
  expect(["image/webp", "audio/ogg", "video/mp4", "application/pdf", "application/zip", undefined].map(ofType)).toEqual(
    [...["picture", "sound", "film", "document", "archive", "file"]],
  );
});

function ofType(type: string | undefined) {
  return kindOf(type === undefined ? {} : { type });
}

test("a picture is what has a preview and sides", () => {
  const file = { id: "1", name: "a.png", bytes: 1, sha256: "" };
  expect(isPicture({ ...file, width: 4, height: 3, preview: true })).toBe(true);
  expect(isPicture({ ...file, width: 4, height: 3 })).toBe(false);
  expect(isPicture({ ...file, preview: true })).toBe(false);
});

test("a picture keeps its shape within a box, is never enlarged, and never too thin", () => {
  const box = { width: 300, height: 400, least: 60 };
  expect(fitted({ width: 3000, height: 2000 }, box)).toEqual({ width: 300, height: 200 });
  expect(fitted({ width: 100, height: 80 }, box)).toEqual({ width: 100, height: 80 });
  expect(fitted({ width: 10, height: 40_000 }, box)).toEqual({ width: 60, height: 400 });
});

test("a meter tells the speed of the last seconds and what is left at it", () => {
  const meter = new Meter(1000);
  expect(meter.begin(0, 10)).toEqual({ done: 0, total: 1000, speed: null, leftS: null });
  expect(meter.moved(100, 11)).toEqual({ done: 100, total: 1000, speed: 100, leftS: 9 });
  for (let second = 12; second <= 20; second++) meter.moved(100 + (second - 11) * 10, second);
  expect(meter.moved(200, 21)).toEqual({ done: 200, total: 1000, speed: 10, leftS: 80 });
});

test("an attempt that goes on counts from where it began; what did not arrive is no progress", () => {
  const meter = new Meter(1000);
  meter.begin(0, 0);
  meter.moved(900, 3);
  expect(meter.reached).toBe(0);
  expect(meter.begin(500, 10)).toEqual({ done: 500, total: 1000, speed: null, leftS: null });
  expect(meter.moved(600, 11).speed).toBe(100);
  expect(meter.reached).toBe(500);
});
