"""A model provider for tests: enough of the OpenAI and Anthropic HTTP interfaces for their real client libraries.

Answers are fixed by the request, so that captures differ only in ids and times. A prompt that contains "fail" gets a 429.
"""
import http.server
import json
import threading


def chat_completion(request):
    message = {"role": "assistant", "content": "A lintel carries the load above an opening."}
    finish = "stop"
    if request.get("tools"):
        function = {"name": request["tools"][0]["function"]["name"], "arguments": '{"city": "Zürich"}'}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
        finish = "tool_calls"
    return {
        "id": "chatcmpl-000000000000001", "object": "chat.completion", "created": 1, "model": request["model"] + "-2026-01-01",
        "system_fingerprint": "fp_1", "service_tier": "default",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": 42, "completion_tokens": 9, "total_tokens": 51, "prompt_tokens_details": {"cached_tokens": 32},
                  "completion_tokens_details": {"reasoning_tokens": 0}}}


def chat_chunks(request):
    base = {"id": "chatcmpl-000000000000002", "object": "chat.completion.chunk", "created": 1, "model": request["model"]}
    for word in ("A ", "lintel ", "carries."):
        yield {**base, "choices": [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}]}
    yield {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {**base, "choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}


def embedding(request):
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    return {"object": "list", "model": request["model"], "usage": {"prompt_tokens": 4 * len(inputs), "total_tokens": 4 * len(inputs)},
            "data": [{"object": "embedding", "index": i, "embedding": [0.25, -0.5]} for i in range(len(inputs))]}


def anthropic_message(request):
    return {"id": "msg_01", "type": "message", "role": "assistant", "model": request["model"], "stop_reason": "end_turn", "stop_sequence": None,
            "content": [{"type": "text", "text": "Stein auf Stein."}],
            "usage": {"input_tokens": 20, "output_tokens": 5, "cache_read_input_tokens": 16, "cache_creation_input_tokens": 2}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["content-length"]))
        request = json.loads(raw)
        if b"fail" in raw:
            return self.answer(429, {"error": {"message": "rate limit exceeded", "type": "rate_limit_error", "code": "rate_limit"}})
        if self.path.endswith("/chat/completions"):
            if request.get("stream"):
                events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chat_chunks(request)) + "data: [DONE]\n\n"
                return self.send(200, "text/event-stream", events.encode())
            return self.answer(200, chat_completion(request))
        if self.path.endswith("/embeddings"):
            return self.answer(200, embedding(request))
        if self.path.endswith("/messages"):
            return self.answer(200, anthropic_message(request))
        self.answer(404, {"error": {"message": "no such path"}})

    def answer(self, status, value):
        self.send(status, "application/json", json.dumps(value).encode())

    def send(self, status, content_type, body):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def start():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
