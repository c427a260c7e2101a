/**
 * The people somebody knows, as a fold of packets: contacts, presence, my own profile, whom I have blocked.
 *
 * Rules:
 *
 * 1. SNAPSHOT and CONTACTS-GET-RESPONSE replace all contacts, CONTACT-UPDATED changes the fields that it holds; nothing
 *    else is needed.  UPDATE-LAST-SEEN and BLOCK-OK say what a patch says too, so either may come first, or alone.
 * 2. A contact that is neither listed nor related is none.
 * 3. What is not told is unknown, which is not offline (row X21).
 *
 * The twin of src/veche/client/people.py.  Source: rows M27-M47, X01, X02, X21, X23.
 */
import type * as wire from "../protocol";
import { fullAddress, loginOf } from "./names";
import type { Folds } from "./state";

/** One contact; `wire.Contact` with every field filled. */
export interface Contact {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  /** When they were last seen to come or go; null: not told to me. */
  readonly presence: string | null;
  readonly status: wire.Status;
  readonly relation: wire.Relation;
  readonly listed: boolean;
  readonly own_name: string;
  readonly group: string;
  readonly memo: string;
  readonly avatar: string;
  readonly ignored: boolean;
}

/** Everyone that one account knows, by full address. */
export interface People {
  readonly me: string;
  /** Logins differ by case: the profile of the server is `classic`. */
  readonly keepsCase: boolean;
  readonly contacts: ReadonlyMap<string, Contact>;
  readonly profile: Required<wire.Profile>;
  readonly blocked: ReadonlySet<string>;
}

export const NO_PROFILE: Required<wire.Profile> = { name: "", note: "", avatar: "" };

export const STRANGER: Omit<Contact, "id" | "name"> = {
  note: "",
  presence: null,
  status: "unknown",
  relation: "none",
  listed: false,
  own_name: "",
  group: "",
  memo: "",
  avatar: "",
  ignored: false,
};

/** The full address of `login` or `login@domain`, as somebody has typed it. */
export function address(people: People, login: string): string {
  return fullAddress(login, people.me.slice(people.me.lastIndexOf("@") + 1), people.keepsCase);
}

/** What that person is to me. */
export function relation(people: People, id: string): wire.Relation {
  return people.contacts.get(id)?.relation ?? "none";
}

/** Whether somebody is there, away or not. */
export function isThere(contact: Contact): boolean {
  return contact.status === "online" || contact.status === "away";
}

export const FOLD_PEOPLE: Folds = {
  HELLO(draft, packet) {
    draft.next.keepsCase = packet.profile === "classic";
  },
  "CONNECT-OK"(draft, packet) {
    draft.next.me = packet.login;
  },
  SNAPSHOT(draft, packet) {
    draft.next.contacts = filled(packet.contacts ?? []);
    draft.next.profile = { ...NO_PROFILE, ...packet.profile };
    draft.next.blocked = new Set(packet.blocked);
  },
  "CONTACTS-GET-RESPONSE"(draft, packet) {
    draft.next.contacts = filled(packet.contacts);
  },
  "CONTACT-UPDATED"(draft, packet) {
    patch(draft.contacts(), packet);
  },
  "UPDATE-LAST-SEEN"(draft, { id, at, status = "unknown" }) {
    if (!draft.next.contacts.has(id)) return;
    patch(draft.contacts(), { id, presence: at, ...(status === "unknown" ? {} : { status }) });
  },
  "BLOCK-OK"(draft, { login }) {
    patch(draft.contacts(), { id: login, relation: "blocked" });
    draft.next.blocked = new Set(draft.next.blocked).add(login);
  },
  "UNBLOCK-OK"(draft, { login }) {
    // what they were is told by a patch
    if (relation(draft.next, login) === "blocked") patch(draft.contacts(), { id: login, relation: "none" });
    draft.next.blocked = new Set([...draft.next.blocked].filter((one) => one !== login));
  },
  "PROFILE-UPDATE-OK"(draft, { name = "", note = "", avatar = "" }) {
    draft.next.profile = { name, note, avatar };
  },
};

function filled(contacts: readonly wire.Contact[]): Map<string, Contact> {
  return new Map(contacts.map((one) => [one.id, { ...STRANGER, ...one }]));
}

type Patch = Omit<wire.ContactUpdated, "type">;

function patch(contacts: Map<string, Contact>, change: Patch): void {
  const old = contacts.get(change.id) ?? { ...STRANGER, id: change.id, name: loginOf(change.id) };
  const contact: { -readonly [K in keyof Contact]: Contact[K] } = { ...old };
  for (const field of Object.keys(STRANGER) as (keyof Patch & keyof Contact)[]) {
    if (change[field] !== undefined) Object.assign(contact, { [field]: change[field] });
  }
  contact.name = change.name ?? contact.name;
  if (change.presence === "") contact.presence = null;
  if (contact.listed || contact.relation !== "none") contacts.set(contact.id, contact);
  else contacts.delete(contact.id);
}

/** The people when no server tells who is there any more: those who were there were last seen now, at `at`. */
export function unseen<P extends People>(people: P, at: string): P {
  const contacts = new Map<string, Contact>();
  for (const [id, one] of people.contacts) {
    contacts.set(id, { ...one, status: "unknown", presence: isThere(one) ? at : one.presence });
  }
  return { ...people, contacts };
}
