// Prints what Redocly's lint finds in the OpenAPI document of a file: a line "rule: place: message" each.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    "no-invalid-schema-examples": "error",
    "no-invalid-parameter-examples": "error",
    "no-required-schema-properties-undefined": "error",
    "spec-strict-refs": "error",
    // Taste: the paths are those of the API that clients know.
    "no-path-trailing-slash": "off",
    "no-ambiguous-paths": "off",
  },
});
for (const problem of await lint({ ref: process.argv[2], config })) {
  console.log(`${problem.ruleId}: ${problem.location[0].pointer}: ${problem.message}`);
}
