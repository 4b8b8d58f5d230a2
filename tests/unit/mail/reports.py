#!/usr/bin/env python3
"""Reads the golden delivery reports with Python's email package, which knows nothing of ours. Usage: reports.py FOLDER"""

import email
import email.policy
import pathlib
import sys

EXPECTED = {  # file: action, recipients
    "failed": ("failed", 1), "delayed": ("delayed", 1), "held": ("delayed", 1), "delivered": ("delivered", 1),
    "relayed": ("relayed", 1), "over_the_limit": ("failed", 1), "nothing_returned": ("failed", 1),
    "postmaster_copy": ("failed", 1), "utf8_addresses": ("failed", 1), "hostile": ("failed", 1),
    "three_failed": ("failed", 3),
}


def fields_of(part):
    """The blocks of a message/delivery-status, also of the global one, which the package does not know."""
    payload = part.get_payload()
    if isinstance(payload, list) and part.get_content_type() == "message/delivery-status":
        return [dict(block.items()) for block in payload]
    raw = part.as_bytes(policy=email.policy.SMTP.clone(utf8=True)).split(b"\r\n\r\n", 1)[1]
    blocks = [block for block in raw.decode("utf-8").split("\r\n\r\n") if block.strip()]
    return [dict(email.message_from_string(block, policy=email.policy.default).items()) for block in blocks]


def read(path):
    raw = path.read_bytes()
    assert b"\n" not in raw.replace(b"\r\n", b""), "a bare LF"
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "a long line"
    message = email.message_from_bytes(raw, policy=email.policy.SMTP.clone(utf8=True))
    assert not message.defects, message.defects
    assert message.get_content_type() == "multipart/report"
    parts = list(message.iter_parts())
    kind = parts[1].get_content_type()
    assert kind == "message/" + message.get_param("report-type"), kind
    assert message["Auto-Submitted"] in ("auto-replied", "auto-generated")
    text = parts[0].get_content().replace("\r\n", "\n")
    blocks = fields_of(parts[1])
    action, count = EXPECTED[path.stem]
    assert len(blocks) == count + 1, blocks
    assert "Reporting-MTA" in blocks[0], blocks[0]
    for block in blocks[1:]:
        assert block["Action"].strip() == action, block
        address = block["Final-Recipient"].split(";", 1)[1].strip()
        assert f"<{address}>" in text, f"{address} is not named in the text"
        assert block["Status"].strip()[0] == {"failed": "5", "delayed": "4"}.get(action, "2") or "4.4.7" in block["Status"]
    assert text.count("\n  <") == count, text
    if path.stem == "nothing_returned":
        assert len(parts) == 2
    else:
        assert len(parts) == 3


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))
    failed = 0
    for path in files:
        try:
            read(path)
        except Exception as error:  # each file has its own verdict
            failed += 1
            print(f"  FAILED  {path.name}: {type(error).__name__} {error}")
    missing = set(EXPECTED) - {path.stem for path in files}
    print(f"{len(files) - failed} passed, {failed + len(missing)} failed {' '.join(missing)}")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
