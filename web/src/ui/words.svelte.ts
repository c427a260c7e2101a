/**
 * The words for people, in the language that is chosen: `say.signIn`, `say.unread(3)`.
 *
 * English comes with the first load; each other language is a chunk of its own, fetched by who reads it.  As long as
 * it is not there, and where it cannot be fetched, the words stay what they were.
 */
import { language, type Language } from "./settings.svelte";
import { en, type Words } from "./words/en";

const FETCHED: Record<Exclude<Language, "en">, () => Promise<Words>> = {
  ru: () => import("./words/ru").then(({ ru }) => ru),
  fr: () => import("./words/fr").then(({ fr }) => fr),
};

class Shown {
  words = $state.raw<Words>(en);
}

const shown = new Shown();

/** What is read of it in a component is followed when the language changes. */
export const say = new Proxy({} as Words, {
  get: (_, name) => shown.words[name as keyof Words],
});

/** Follow the language that is chosen.  Resolves when the words of the first one are there. */
export function watchWords(): Promise<void> {
  $effect.root(() => {
    $effect(() => void use(language()));
  });
  return use(language());
}

async function use(wanted: Language): Promise<void> {
  const words = wanted === "en" ? en : await FETCHED[wanted]().catch(() => shown.words);
  if (language() === wanted) shown.words = words;
}
