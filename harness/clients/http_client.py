"""Fetches over one keep-alive connection with http.client: a job (JSON) on standard input, a JobResult (JSON) on standard output."""

import hashlib
import http.client
import json
import sys


def main():
    job = json.load(sys.stdin)
    print("ready", flush=True)
    responses = []
    result = {"ok": True, "responses": responses}
    connection = http.client.HTTPConnection(job["host"], job["port"], timeout=job["timeoutMs"] / 1000)
    try:
        connection.connect()
        # A connection that the server closed is an error here, not a reason for a second one.
        connection.auto_open = 0
        for request in job["requests"]:
            body = None
            if request.get("bodyFile"):
                with open(request["bodyFile"], "rb") as file:
                    body = file.read()
            headers = dict(request["headers"])
            if request.get("expectContinue"):
                headers["Expect"] = "100-continue"
            connection.request(request["method"], request["path"], body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
            entry = {
                "status": response.status,
                "bodySize": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            etag = response.getheader("ETag")
            if etag is not None:
                entry["etag"] = etag.strip('"')
            responses.append(entry)
        result["closedBy"] = "client"
    except (OSError, http.client.HTTPException) as error:
        result["ok"] = False
        result["error"] = "%s: %s" % (type(error).__name__, error)
    finally:
        connection.close()
    json.dump(result, sys.stdout)


main()
