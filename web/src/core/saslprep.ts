/**
 * Passwords as SASLprep (RFC 4013) writes them, as src/veche/core/scram.py does.
 *
 * Loaded for the first password that is not plain ASCII: no start waits for the tables.
 */
import { ScramFailed } from "./scram";
import * as tables from "./saslprep-tables";

const INVISIBLE = "The password has a character that passwords may not have (invisible or private).";

/** The password as it goes into PBKDF2; throws ScramFailed when it may not be one. */
export function saslprep(password: string): string {
  const isOut = among(tables.MAPPED_TO_NOTHING);
  const isSpace = among(tables.MAPPED_TO_SPACE);
  const mapped = [...password].filter((char) => !isOut(char)).map((char) => (isSpace(char) ? " " : char));
  const prepared = [...mapped.join("").normalize("NFKC")];
  // RFC 5802 §2.2: "unassigned Unicode codepoints are prohibited".  Asked of `mapped` too, since today's NFKC knows
  // newer characters.
  if ([...mapped, ...prepared].some(among(tables.UNASSIGNED))) return opaqueString(password);
  if (prepared.some(among(tables.PROHIBITED))) throw new ScramFailed(INVISIBLE);
  if (prepared.length === 0) throw new ScramFailed("The password is empty.");
  const isRight = among(tables.RIGHT_TO_LEFT);
  // RFC 3454 §6: "If a string contains any RandALCat character, the string MUST NOT contain any LCat character", and
  // "a RandALCat character MUST be the first character of the string, and [...] the last character of the string."
  const isMixed = prepared.some(among(tables.LEFT_TO_RIGHT)) || !isRight(prepared[0]!) || !isRight(prepared.at(-1)!);
  if (prepared.some(isRight) && isMixed) return opaqueString(password);
  return prepared.join("");
}

/**
 * The password by OpaqueString (RFC 8265 §4.2), the successor of SASLprep.
 *
 * For what SASLprep refuses only because it is older than the character (emoji) or because of the direction of writing.
 */
function opaqueString(password: string): string {
  const prepared = password.replace(/\p{Zs}/gu, " ").normalize("NFC");
  if (/\p{Cc}|\p{Cs}|\p{Co}/u.test(prepared)) throw new ScramFailed(INVISIBLE);
  return prepared;
}

/** A test whether a character is in a table; a table is lengths of what is out and in by turns, in base 36. */
function among(table: string): (char: string) => boolean {
  let edge = 0;
  const edges = table.split(" ").map((length) => (edge += parseInt(length, 36)));
  return (char) => {
    const code = char.codePointAt(0)!;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (edges[middle]! > code) high = middle;
      else low = middle + 1;
    }
    return low % 2 === 1;
  };
}
