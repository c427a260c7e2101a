/**
 * The client's end of SCRAM-SHA-256, by WebCrypto.
 *
 * A page cannot see the certificate of its server, so there is no channel binding.  Nonces come in as arguments.
 *
 * The twin of `ClientScram` of src/veche/core/scram.py.  Source: RFC 5802, RFC 7677; rows M04-M09, X03.
 */

export const SCRAM = "SCRAM-SHA-256";

/** This exchange does not log in; the message is a sentence for the person. */
export class ScramFailed extends Error {}

/** More than this (seconds of work) is not asked for in earnest. */
const MAX_ITERATIONS = 10_000_000;
const MIN_ITERATIONS = 4096;
/** `printable` of RFC 5802 §7: %x21-2B / %x2D-7E, all but the comma. */
const NONCE = /^[!-+\--~]+$/;
const HEADER = "n,,";

/** One login: `first`, then `answer` with CONNECT-ACK, then `check` with CONNECT-OK. */
export class ClientScram {
  private readonly bare: string;
  private readonly nonce: string;
  private readonly password: string;
  private signature: string | null = null;

  /** nonce: new, of printable ASCII without comma.  Throws ScramFailed when the login cannot be sent. */
  constructor(login: string, password: string, nonce: string) {
    const name = login.normalize("NFC");
    if (name === "" || name.includes("\0") || !name.isWellFormed()) throw new ScramFailed("This login cannot be sent.");
    // RFC 5802 §5.1: "The characters ',' or '=' in usernames are sent as '=2C' and '=3D' respectively."
    this.bare = `n=${name.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
    this.nonce = nonce;
    this.password = password;
  }

  /** The client-first-message, `message` of CONNECT. */
  first(): string {
    return HEADER + this.bare;
  }

  /** The ClientProof in base64, `hash` of CONNECT-CONTINUE.  Throws ScramFailed for a challenge that is not to be met. */
  async answer(salt64: string, iterations: number, nonce: string): Promise<string> {
    // RFC 5802 §5.1: "The client MUST verify that the initial part of the nonce used in subsequent messages is the same
    // as the nonce it initially specified."
    if (!nonce.startsWith(this.nonce) || nonce.length === this.nonce.length || !NONCE.test(nonce)) {
      throw new ScramFailed("The server's nonce does not continue ours.");
    }
    // RFC 7677 §4: "the hash iteration-count SHOULD be at least 4096"; whoever asks for less wants a proof that lets the
    // password be guessed.
    if (!(MIN_ITERATIONS <= iterations && iterations <= MAX_ITERATIONS)) {
      throw new ScramFailed(
        `The server asks for ${MIN_ITERATIONS} to ${MAX_ITERATIONS} iterations, or is not trusted.`,
      );
    }
    const salted = await saltedPassword(this.password, bytesOf(salt64), iterations);
    const message = utf8(`${this.bare},r=${nonce},s=${salt64},i=${iterations},c=${btoa(HEADER)},r=${nonce}`);
    const clientKey = await hmac(salted, utf8("Client Key"));
    const storedKey = await crypto.subtle.digest("SHA-256", clientKey);
    const proof = await hmac(storedKey, message);
    this.signature = base64(await hmac(await hmac(salted, utf8("Server Key")), message));
    return base64(proof.map((byte, i) => byte ^ clientKey[i]!));
  }

  /** Throws ScramFailed unless the server (`signature` of CONNECT-OK) knows this account's verifier. */
  check(signature: string): void {
    // RFC 5802 §5: "If the two are different, the client MUST consider the authentication exchange to be unsuccessful".
    if (this.signature === null || signature !== this.signature) {
      throw new ScramFailed("This server does not know the account: it is not the one it claims to be.");
    }
  }
}

/** SaltedPassword := Hi(Normalize(password), salt, i), RFC 5802 §3.  32 bytes; takes a tenth of a second and more. */
async function saltedPassword(password: string, salt: Bytes, iterations: number): Promise<ArrayBuffer> {
  const prepared = /^[ -~]+$/.test(password) ? password : (await import("./saslprep")).saslprep(password);
  const key = await crypto.subtle.importKey("raw", utf8(prepared), "PBKDF2", false, ["deriveBits"]);
  return crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256);
}

type Bytes = Uint8Array<ArrayBuffer>;

async function hmac(key: BufferSource, message: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

function base64(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The bytes of the server's salt.  Throws ScramFailed. */
function bytesOf(text: string): Bytes {
  if (text === "" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new ScramFailed("The server sent no salt.");
  }
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
