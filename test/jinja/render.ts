/** A template's text at once. */
import { atOnce } from "../../src/base/steps.ts";
import { renderTemplateSteps } from "../../src/jinja/interpreter.ts";

export const renderTemplate = (...input: Parameters<typeof renderTemplateSteps>): string =>
  atOnce(renderTemplateSteps(...input));
