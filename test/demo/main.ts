/** `npm run demo`: a short story of real programs behind real NATs, or on loopback where there can be none. */
import { ensureTools } from "../lab/tools.js";
import { labStory } from "./lab-story.js";
import { loopbackStory } from "./loopback-story.js";
import { say } from "./prose.js";

const tools = await ensureTools();
if (tools.available) {
  await labStory();
} else {
  say(`This machine cannot make NATs (${tools.reason}), so the demo runs on loopback, where there is none.\n`);
  await loopbackStory();
}
