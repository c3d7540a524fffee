// The settings that this browser keeps: microphone, way of talking, volume, colours, prices.

import { Microphone } from "../../client/index.js";

const $ = (id) => document.getElementById(id);

export function wireSettings({ talk, controls, timeline, figures }) {
  kept("theme", "antiphon.theme", (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    timeline.recolour();
  });
  kept("talking", "antiphon.talking", () => {
    if (controls.push && talk.microphone) talk.microphone.muted = true;
    controls.showMicrophone();
  });
  kept("volume", "antiphon.volume", (volume) => (talk.player.volume = volume === "" ? 1 : Number(volume)), "input");
  kept("price-in", "antiphon.price.in", (price) => priced("in", price));
  kept("price-out", "antiphon.price.out", (price) => priced("out", price));
  function priced(way, price) {
    talk.story.figures.prices[way] = Number(price) || 0;
    figures();
  }
  $("device").addEventListener("change", async () => {
    localStorage.setItem("antiphon.device", $("device").value);
    if (!talk.microphone?.running) return;
    try {
      await talk.microphone.choose($("device").value);
    } catch (error) {
      controls.trouble.device(error, () => controls.listen(true));
    }
  });
  $("settings-open").addEventListener("click", async () => {
    $("end").hidden = !talk.begun;
    $("settings").showModal();
    const devices = await Microphone.devices().catch(() => []);
    const options = devices.map(({ deviceId, label }, index) => new Option(label || `Microphone ${index + 1}`, deviceId));
    $("device").replaceChildren(new Option("As the browser chooses", ""), ...options.filter((option) => option.value));
    $("device").value = localStorage.getItem("antiphon.device") ?? "";
    if ($("device").selectedIndex < 0) $("device").value = "";
  });
}

/** A control whose value is kept under `key` and told now and at every change. */
function kept(id, key, told, type = "change") {
  const control = $(id);
  const before = localStorage.getItem(key);
  if (before !== null) control.value = before;
  control.addEventListener(type, () => {
    localStorage.setItem(key, control.value);
    told(control.value);
  });
  told(control.value);
}
