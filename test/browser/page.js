// The plain page: loads a model, writes a text. Tests use the door it puts into `skint`.
import * as skint from "./dist/browser.js";

globalThis.skint = skint;

const form = document.querySelector("form");
const state = document.querySelector("#state");
const text = document.querySelector("#text");

form.onsubmit = async (event) => {
  event.preventDefault();
  text.textContent = "";
  const { model: location, prompt } = Object.fromEntries(new FormData(form));
  try {
    const onProgress = (done, total) => {
      state.textContent = `Loading: ${done} of ${total} bytes`;
    };
    const model = await skint.load(location, { onProgress });
    state.textContent = `${model.name}: ${model.build}, ${model.lanes} threads. ${model.whySingle ?? ""} Cache: ${model.cache}. ${model.notes.join(" ")}`;
    for await (const piece of model.session().generate(prompt, { maxTokens: 60, seed: 1 })) text.textContent += piece.text;
    model.close();
  } catch (error) {
    state.textContent = `${error.code}: ${error.message}`;
  }
};
document.body.dataset.ready = "yes";
