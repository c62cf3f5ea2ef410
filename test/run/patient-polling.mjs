/**
 * Loaded into every Node process of the tests, before anything else. While a read-back is pending, Dawn's binding
 * asks through `setImmediate` to be called again, and so spins a whole processor, which a software GPU needs itself:
 * here it asks once a millisecond. (Half the time of tests that mostly wait for the GPU, on two processors.)
 */
const { setImmediate, setTimeout } = globalThis;

const isNative = (callback) =>
  /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(callback));

globalThis.setImmediate = Object.assign(
  (callback, ...values) =>
    values.length === 0 && isNative(callback)
      ? setTimeout(callback, 1)
      : setImmediate(callback, ...values),
  setImmediate, // with its form that gives promises
);
