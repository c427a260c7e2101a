/**
 * How addresses are written.
 *
 * What the server writes is taken as it is.  What a person types is brought near to the server's one spelling, so that
 * what they send shows in the right conversation at once; the server alone knows the rule (PRECIS, RFC 8265) whole.
 */

/** The login of a full address. */
export function loginOf(address: string): string {
  const at = address.lastIndexOf("@");
  return at > 0 ? address.slice(0, at) : address;
}

/** Full- and half-width forms, which RFC 8265 §3.3 maps to the plain ones. */
const WIDE = /[\uFF01-\uFFEE\u3000]/g;

/** The full address of `login` or `login@domain`. */
export function fullAddress(typed: string, domain: string, keepsCase: boolean): string {
  const [name = "", given] = typed.trim().split("@", 2);
  const narrow = name.replace(WIDE, (wide) => wide.normalize("NFKC"));
  const login = (keepsCase ? narrow : narrow.toLowerCase()).normalize("NFC");
  return `${login}@${given?.toLowerCase() ?? domain}`;
}

/** The text without what its case says, to compare names. */
export function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}
