// Counts the calls to WebGPU in a page or worker, from outside, and tells them on a channel. The page runs it, and
// puts it before the code of every worker that is made from a blob. CHANNEL stands for the channel's name.
(() => {
  const counts = {};
  const wrap = (type, name, amount = () => 1, as = name) => {
    const prototype = globalThis[type]?.prototype;
    const method = prototype?.[name];
    if (!method) return;
    counts[as] ??= 0;
    prototype[name] = function (...values) {
      counts[as] += amount(this, values);
      return method.apply(this, values);
    };
  };
  wrap("GPUComputePassEncoder", "dispatchWorkgroups", undefined, "dispatches");
  wrap("GPUComputePassEncoder", "dispatchWorkgroupsIndirect", undefined, "dispatches");
  wrap("GPUQueue", "submit", undefined, "submits");
  wrap("GPUQueue", "writeBuffer");
  wrap("GPUDevice", "createBuffer");
  wrap("GPUDevice", "createBindGroup");
  const read = (buffer, [mode, offset = 0, size]) => (mode & 1 ? (size ?? buffer.size - offset) : 0);
  wrap("GPUBuffer", "mapAsync", read, "bytesRead");
  const channel = new BroadcastChannel("CHANNEL");
  channel.addEventListener("message", ({ data }) => {
    if (data === "counts?") channel.postMessage(counts);
  });
})();
