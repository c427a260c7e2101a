/**
 * Choosing how to log in: by the device's resumption token, else by password, which is forgotten once it has served.
 *
 * A server that cannot prove that it knows the password's verifier is not the one that it claims to be.
 *
 * Source: rows A11, M04-M09, X03; RFC 5802, RFC 7677.
 */
import type { Connect, ConnectOk, ErrorCode } from "../protocol";
import { NotAPacket } from "./outbox";
import { ClientScram, SCRAM, ScramFailed } from "./scram";

export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** What a device keeps between two runs.  cursor: everything up to this id it has. */
export interface Place {
  readonly device: string;
  readonly resume: string | null;
  readonly cursor: number;
}

/** The resumption token is worth nothing any more. */
const NO_SUCH_SESSION: ReadonlySet<ErrorCode> = new Set([
  ...(["wrong-credentials", "revoked", "unknown-id", "unknown-mechanism", "bad-request"] as const),
]);

export class Login {
  credentials: Credentials | null = null;
  scram: ClientScram | null = null;
  resume: string | null;
  device: string;
  private isResuming = false;
  private readonly client: string;
  private readonly nonce: () => string;

  /** client: our name for the server.  nonce: gives a new one for each login. */
  constructor(client: string, nonce: () => string, place: Place) {
    this.client = client;
    this.nonce = nonce;
    this.device = place.device;
    this.resume = place.resume;
  }

  /** The first packet of a login.  Throws NotAPacket when there is nothing to log in with. */
  start(cursor: number): Connect {
    const common = { type: "CONNECT", device: this.device, client: this.client } as const;
    this.scram = null;
    this.isResuming = this.resume !== null && this.credentials === null;
    // only a server that knows this session can know what our cursor means
    if (this.isResuming) return { ...common, mechanism: "RESUME", token: this.resume!, cursor };
    if (this.credentials === null) {
      throw new NotAPacket("wrong-credentials", "The session has ended; log in with the password.");
    }
    const { login, password } = this.credentials;
    try {
      this.scram = new ClientScram(login, password, this.nonce());
    } catch (error) {
      if (error instanceof ScramFailed) throw new NotAPacket("bad-request", error.message);
      throw error;
    }
    return { ...common, mechanism: SCRAM, login, message: this.scram.first() };
  }

  /**
   * The server let us in; returns whether by password, which begins a new session.
   *
   * Throws ScramFailed when it is not the server that it claims to be.
   */
  succeeded(packet: ConnectOk): boolean {
    const { scram } = this;
    this.scram = this.credentials = null;
    // RFC 5802 §5: "the client then authenticates the server by computing the ServerSignature and comparing it"
    scram?.check(packet.signature ?? "");
    this.device = packet.device;
    this.resume = packet.resume;
    return scram !== null;
  }

  /** The server did not. */
  failed(code: ErrorCode): void {
    this.scram = this.credentials = null;
    if (this.isResuming && NO_SUCH_SESSION.has(code)) this.resume = null;
  }
}
