/** The words for people, in the language that is chosen: `say.signIn`, `say.unread(3)`. */
import { language, type Language } from "./settings.svelte";
import { en, type Words } from "./words/en";
import { fr } from "./words/fr";
import { ru } from "./words/ru";

export const CATALOGUES: Record<Language, Words> = { en, ru, fr };

/** What is read of it in a component is followed when the language changes. */
export const say = new Proxy({} as Words, {
  get: (_, name) => CATALOGUES[language()][name as keyof Words],
});
