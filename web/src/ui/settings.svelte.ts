/** What this person has chosen for this browser; kept in localStorage, or until the tab closes where that is forbidden. */

const KEY = "veche-settings";

export const THEMES = ["system", "light", "dark"] as const;
export const LANGUAGES = { en: "English", ru: "Русский", fr: "Français" } as const;
export type Language = keyof typeof LANGUAGES;

class Settings {
  theme = $state<(typeof THEMES)[number]>("system");
  /** "": as the browser asks. */
  language = $state<Language | "">("");
  sound = $state(true);
  notifications = $state(false);
  /** Calls ring while I am in another one. */
  ringAnyway = $state(false);
  order = $state<"recent" | "groups">("recent");
  /** The paths of the groups that are folded. */
  folded = $state<string[]>([]);
}

export const settings = new Settings();

/** Take over what was chosen before; what is not of its kind is left out. */
function load(): void {
  let kept: Partial<Record<keyof Settings, unknown>>;
  try {
    kept = Object(JSON.parse(localStorage.getItem(KEY) ?? "{}")) as typeof kept;
  } catch {
    return;
  }
  const { theme, language, sound, notifications, ringAnyway, order, folded } = kept;
  settings.theme = THEMES.find((one) => one === theme) ?? "system";
  settings.language = typeof language === "string" && language in LANGUAGES ? (language as Language) : "";
  settings.sound = sound !== false;
  settings.notifications = notifications === true;
  settings.ringAnyway = ringAnyway === true;
  settings.order = order === "groups" ? "groups" : "recent";
  settings.folded = Array.isArray(folded) ? folded.filter((one) => typeof one === "string") : [];
}

/** The language of the words. */
export function language(): Language {
  if (settings.language !== "") return settings.language;
  const asked = navigator.languages.map((one) => one.slice(0, 2).toLowerCase());
  return (asked.find((one) => one in LANGUAGES) as Language | undefined) ?? "en";
}

const locales: Partial<Record<Language, string>> = {};

/** The language with the habits of the person's region, for times: en-GB. */
export function locale(): string {
  const chosen = language();
  return (locales[chosen] ??= navigator.languages.find((one) => one.slice(0, 2).toLowerCase() === chosen) ?? chosen);
}

/** Keep what is chosen and show the theme, from now on. */
export function watchSettings(): void {
  load();
  $effect.root(() => {
    $effect(() => {
      const { theme, language, sound, notifications, ringAnyway, order, folded } = settings;
      try {
        const kept = { theme, language, sound, notifications, ringAnyway, order, folded };
        localStorage.setItem(KEY, JSON.stringify(kept));
      } catch {
        // forbidden or full: chosen for this tab only
      }
    });
    $effect(() => {
      document.documentElement.dataset["theme"] = settings.theme;
      document.documentElement.lang = language();
    });
  });
}
