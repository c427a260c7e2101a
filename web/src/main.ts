import { mount } from "svelte";
import App from "./ui/App.svelte";
import { watchAlerts } from "./ui/alerts.svelte";
import { watchAttention } from "./ui/attention.svelte";
import "./ui/base.css";
import { watchCalls } from "./ui/calls/calls.svelte";
import { client } from "./ui/client.svelte";
import { watchConnection } from "./ui/connection.svelte";
import { watchPrivate } from "./ui/private.svelte";
import { watchSettings } from "./ui/settings.svelte";
import "./ui/tokens.css";
import { watchWords } from "./ui/words.svelte";

watchSettings();
watchConnection();
watchAttention();
watchAlerts();
watchCalls();
watchPrivate();
if (isSecureContext) void client.start();
void watchWords().then(() => mount(App, { target: document.getElementById("app")! }));

// refused where the browser does not trust the certificate; then there is no reading offline
if (import.meta.env.PROD) void navigator.serviceWorker?.register("/worker.js").catch(() => {});
