"""KMS, SQS and the table of keys without an SDK, failing as it fails."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from courtside.platform.aws import AwsRefused, JsonService, KeyTable, Kms, Sqs, Unreachable


class Service(ThreadingHTTPServer):
    """Answers with what was put into `answers`, in order; None ends the connection."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.asked = [], []

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.headers["X-Amz-Target"], json.loads(body)))
        answer = self.server.answers.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, told = answer
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def served(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    monkeypatch.setattr("courtside.platform.aws._PAUSE", 0)
    server = Service()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def service(served):
    service = JsonService("kms", "TrentService", region="cn-north-1", endpoint=served.endpoint)
    yield service
    service.close()


class TestJsonService:
    def test_asks_again_when_the_connection_ended_or_the_service_is_busy(self, served, service):
        served.answers = [None, (400, {"__type": "ThrottlingException"}), (200, {"done": True})]

        assert service.call("Decrypt", {}) == {"done": True}
        assert len(served.asked) == 3

    def test_gives_up_after_the_third_failure(self, served, service):
        served.answers = [(500, {})] * 3

        with pytest.raises(Unreachable):
            service.call("Decrypt", {})

    def test_does_not_repeat_what_was_refused(self, served, service):
        served.answers = [(400, {"__type": "com.amazon.kms#AccessDeniedException"})]

        with pytest.raises(AwsRefused) as refused:
            service.call("Decrypt", {})

        assert refused.value.code == "AccessDeniedException"
        assert len(served.asked) == 1


class TestServices:
    def test_a_data_key_travels_as_bytes(self, served, service):
        served.answers = [(200, {"CiphertextBlob": "AQID"}), (200, {"Plaintext": "BAUG"})]
        kms = Kms(service)

        made = kms.generate_data_key_without_plaintext(
            KeyId="k", KeySpec="AES_256", EncryptionContext={"court": "C310"}
        )
        opened = kms.decrypt(
            CiphertextBlob=made["CiphertextBlob"], KeyId="k", EncryptionContext={"court": "C310"}
        )

        assert opened["Plaintext"] == b"\4\5\6"
        context = {"KeyId": "k", "EncryptionContext": {"court": "C310"}}
        assert served.asked == [
            ("TrentService.GenerateDataKeyWithoutPlaintext", {"KeySpec": "AES_256", **context}),
            ("TrentService.Decrypt", {"CiphertextBlob": "AQID", **context}),
        ]

    def test_a_wrapped_key_is_stored_once(self, served, service):
        table = KeyTable(service)
        item = {"pk": {"S": "C310#KEYS"}, "sk": {"S": "COURT"}, "wrapped": {"B": b"\1\2\3"}}
        stored = {**item, "wrapped": {"B": "AQID"}}
        refused = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
        served.answers = [(200, {}), (200, {}), (400, refused), (200, {"Item": stored})]
        place = {"TableName": "keys", "Key": {"pk": item["pk"], "sk": item["sk"]}}

        assert table.get_item(**place) == {}
        table.put_item(TableName="keys", Item=item)
        with pytest.raises(table.exceptions.ConditionalCheckFailedException):
            table.put_item(TableName="keys", Item=item)

        assert table.get_item(**place) == {"Item": item}
        assert served.asked[1][1]["Item"] == stored

    def test_messages_are_sent_together(self, served, service):
        entries = [{"Id": "0", "MessageBody": "菜"}]
        served.answers = [(200, {"Successful": [{"Id": "0"}]})]

        answer = Sqs(service).send_message_batch(QueueUrl="https://q", Entries=entries)

        assert answer["Successful"] == [{"Id": "0"}]
        assert served.asked[0][1] == {"QueueUrl": "https://q", "Entries": entries}

    def test_messages_are_put_off_together(self, served, service):
        entries = [{"Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": 5}]
        served.answers = [(200, {"Successful": [{"Id": "0"}]})]

        answer = Sqs(service).change_message_visibility_batch(QueueUrl="https://q", Entries=entries)

        assert answer["Successful"] == [{"Id": "0"}]
        target, asked = served.asked[0]
        assert target.rpartition(".")[2] == "ChangeMessageVisibilityBatch"
        assert asked == {"QueueUrl": "https://q", "Entries": entries}
