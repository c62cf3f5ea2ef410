/** `npx tsx test/session/make-saved.ts` saves the session of saved-fixture.ts anew, when the format changes. */
import { writeFile } from "node:fs/promises";
import { loadModel } from "../../mod.ts";
import { fixture } from "../fixture.ts";
import { CONTINUED, GOES_ON, MODEL, SAVED } from "./saved-fixture.ts";

const place = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url);
const model = await loadModel(await fixture(MODEL), { device: "cpu", contextLength: 96 });
const session = model.session();
await session.generate("Once upon a time there was a fox who", { temperature: 0, maxTokens: 8 });
await writeFile(place(SAVED), await session.save());
const { message } = await session.generate("", GOES_ON);
const continued = { tokens: session.tokens, text: message.content };
await writeFile(place(CONTINUED), `${JSON.stringify(continued)}\n`);
await model.dispose();
