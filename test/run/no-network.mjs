/** Loaded with --import: a program that opens a socket or asks for an address ends with status 9. */
import dgram from "node:dgram";
import dns from "node:dns";
import net from "node:net";

function refuse(object, name) {
  const original = object[name];
  object[name] = function (...args) {
    // Pipes between processes are no network; tsx has one.
    const first = Array.isArray(args[0]) ? args[0][0] : args[0];
    if (first?.path !== undefined) return original.apply(this, args);
    console.error(`the network was used: ${name}`);
    process.exit(9);
  };
}

refuse(net.Socket.prototype, "connect");
refuse(net.Server.prototype, "listen");
refuse(dgram.Socket.prototype, "send");
refuse(dns, "lookup");
