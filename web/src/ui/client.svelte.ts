/** The `Client` as Svelte state: what is read of it in a component or an effect is followed. */
import { Client } from "../net/client";

export const client = new Client();

/** The newest of everything; each is replaced whole, at most once a frame. */
class Shown {
  state = $state.raw(client.state);
  connection = $state.raw(client.connection);
  hello = $state.raw(client.hello);
}

export const shown = new Shown();

client.subscribe(() => {
  shown.state = client.state;
  shown.connection = client.connection;
  shown.hello = client.hello;
});
