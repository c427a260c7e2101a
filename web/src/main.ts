import { mount } from "svelte";
import App from "./ui/App.svelte";
import { watchAlerts } from "./ui/alerts.svelte";
import { watchAttention } from "./ui/attention.svelte";
import "./ui/base.css";
import { watchCalls } from "./ui/calls/calls.svelte";
import { client } from "./ui/client.svelte";
import { watchConnection } from "./ui/connection.svelte";
import { watchSettings } from "./ui/settings.svelte";
import "./ui/tokens.css";

watchSettings();
watchConnection();
watchAttention();
watchAlerts();
watchCalls();
mount(App, { target: document.getElementById("app")! });
if (isSecureContext) void client.start();

// refused where the browser does not trust the certificate; then there is no reading offline
if (import.meta.env.PROD) void navigator.serviceWorker?.register("/worker.js").catch(() => {});
