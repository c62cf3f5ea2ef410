/**
 * A service that answers conversations, four at a time, and streams its answers as server-sent events:
 *   npx tsx main.ts MODEL.gguf [PORT]
 *   curl -N localhost:8080/chat -d '{ "messages": [{ "role": "user", "content": "What is 7 + 5?" }] }'
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type ChatMessage, loadModel, WebggufError } from "webgguf";

const [path, port = "8080"] = process.argv.slice(2);
if (!path) {
  console.error("Usage: main.ts MODEL.gguf [PORT]");
  process.exit(2);
}

const LARGEST_BODY = 1 << 20;

// Loaded once; as many sessions as there are sequences generate at the same time, others wait their turn.
const model = await loadModel(path, { maxSequences: 4 });

async function readMessages(request: IncomingMessage): Promise<ChatMessage[]> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) {
    body += part;
    if (body.length > LARGEST_BODY) throw new WebggufError("input/invalid", "The body is too long");
  }
  const { messages } = JSON.parse(body);
  if (!Array.isArray(messages)) throw new WebggufError("input/invalid", "messages is no list");
  return messages;
}

async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const session = model.session();
  try {
    const messages = await readMessages(request);
    // The first piece comes before the head, so that a wrong request is answered with its status.
    for await (const piece of session.generate(messages, { maxTokens: 512, signal: gone.signal })) {
      if (!response.headersSent) response.writeHead(200, { "Content-Type": "text/event-stream" });
      if (piece.channel === "content") response.write(`data: ${JSON.stringify(piece.text)}\n\n`);
    }
    response.end("data: [DONE]\n\n");
  } catch (error) {
    if (gone.signal.aborted) return; // nobody is there to be told
    const wrong = error instanceof SyntaxError || error instanceof WebggufError;
    if (!response.headersSent) response.writeHead(wrong ? 400 : 500);
    response.end(`${(error as Error).message}\n`);
  } finally {
    await session.dispose();
  }
}

const server = createServer((request, response) => {
  if (request.method === "POST" && request.url === "/chat") void chat(request, response);
  else response.writeHead(404).end("POST /chat\n");
});
server.listen(Number(port), "127.0.0.1", () => {
  const address = server.address();
  const where = typeof address === "object" ? address?.port : address;
  console.log(`${model.architecture} on ${model.device.name}: http://127.0.0.1:${where}/chat`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    void model.dispose();
  });
