/** The form of a number's word, by the rules of a language (CLDR, by Intl.PluralRules). */

export interface Forms {
  readonly one: string;
  readonly few?: string;
  readonly many?: string;
  readonly other: string;
}

/** Makes `count(3, { one: "# message", other: "# messages" })` of a language; # stands for the number. */
export function counter(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count, forms) => {
    const form = rules.select(count) as keyof Forms;
    return (forms[form] ?? forms.other).replace("#", numbers.format(count));
  };
}
