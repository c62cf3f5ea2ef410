/** What the test of the page's API is bundled from: the official client, in the page. */
import OpenAI from "openai";

Object.assign(globalThis, { OpenAI });
