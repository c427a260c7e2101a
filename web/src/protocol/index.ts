/** The packets, and which answer belongs to which request. */
import type {
  CallOk,
  ClientPacket,
  ConferenceJoinOk,
  ConferenceMessageSent,
  ContactsChangeOk,
  ContactsGetResponse,
  MessageSent,
  Pong,
  ServerHello,
  ServerPacket,
} from "../../../protocol/packets";

export type * from "../../../protocol/packets";
export { ERROR_TEXT, MAX_LINE_BYTES, MAX_TEXT } from "../../../protocol/packets";

/** The answers that are not called `<REQUEST>-OK`. */
interface OtherAnswers {
  HELLO: ServerHello;
  PING: Pong;
  MESSAGE: MessageSent;
  "CONTACTS-GET": ContactsGetResponse;
  "CONTACTS-UPDATE": ContactsChangeOk;
  "CONFERENCE-CREATE": ConferenceJoinOk;
  "CONFERENCE-MESSAGE": ConferenceMessageSent;
  CALL: CallOk | ConferenceJoinOk;
}

type AnswerToType<T extends string> = T extends keyof OtherAnswers
  ? OtherAnswers[T]
  : Extract<ServerPacket, { type: `${T}-OK` }>;

/** What the server answers when it does what was asked. */
export type AnswerTo<P extends ClientPacket> = AnswerToType<P["type"]>;

/** What is answered when it succeeds, and may be asked by who is logged in. */
export type RequestPacket = {
  [P in ClientPacket as P["type"]]: [AnswerTo<P>] extends [never] ? never : P;
}[Exclude<ClientPacket["type"], "CONNECT" | "REGISTER">];
