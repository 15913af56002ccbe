// Each request holds so many MiB outside of the heap for 50 ms. It ends by itself after ten minutes.
const http = require("http");

const [port, mebibytes] = process.argv.slice(2).map(Number);
http
  .createServer((request, response) => {
    const held = Buffer.alloc(mebibytes << 20, 1);
    request.resume();
    setTimeout(() => response.end(String(held[held.length - 1])), 50);
  })
  .listen(port, "127.0.0.1");
setTimeout(() => process.exit(0), 600_000).unref();
