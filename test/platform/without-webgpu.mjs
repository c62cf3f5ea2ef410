/**
 * Loaded with --import: makes `import("webgpu")` fail as it does on machines where the package is
 * missing, has no build, or does not fit the C library. The way is in WITHOUT_WEBGPU.
 */
import { register } from "node:module";

const failures = {
  "not installed": { code: "ERR_MODULE_NOT_FOUND", message: "Cannot find package 'webgpu'" },
  "no build": {
    code: "MODULE_NOT_FOUND",
    message: "Cannot find module '/x/webgpu/dist/linux-riscv64/dawn.node'\nRequire stack:\n- /x",
  },
  "old C library": {
    code: "ERR_DLOPEN_FAILED",
    message: "/lib/libc.so.6: version `GLIBC_2.34' not found (required by /x/dawn.node)",
  },
  "something else": { code: "ERR_DLOPEN_FAILED", message: "/x/dawn.node: invalid ELF header" },
};
const failure = failures[process.env.WITHOUT_WEBGPU];
const broken = `throw Object.assign(new Error(${JSON.stringify(failure.message)}), { code: "${failure.code}" })`;
const hooks = `
  export async function resolve(specifier, context, next) {
    if (specifier !== "webgpu") return next(specifier, context);
    return { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(broken)}`)}, shortCircuit: true };
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
