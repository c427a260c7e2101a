/** The message that somebody wants to see, as from the search; each wish is a new object. */
class Sought {
  target = $state.raw<{ readonly peer: string; readonly id: number } | null>(null);
}

export const sought = new Sought();
