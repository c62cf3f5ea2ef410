// The whole worker: the engine lives here, so that the page stays responsive.
import { serveModel } from "webgguf/worker";

serveModel();
