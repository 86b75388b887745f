// Socket.IO on Node: one namespace, everyone gets everything.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    if (request.method === "POST") io.emit("message.created", JSON.parse(body));
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 15 });
    response.end('{"status":"ok"}');
  });
});
const io = new Server(server);

server.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 4096 });
