"""Use a TAXII server through taxii2-client and stix2, as a user would.

Usage: clients.py DISCOVERY USER PASSWORD COLLECTION COUNT

The server holds COUNT objects when this begins. Exits with an error at the
first answer that is not as it should be.
"""

import sys

import requests
import stix2
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

address, user, password, collection_id, count = sys.argv[1:]
count = int(count)

server = Server(address, user=user, password=password)
assert server.title, server.title
root = server.default
assert isinstance(root, ApiRoot) and root.max_content_length > 0, root
root.refresh()
collection = next(c for c in root.collections if c.id == collection_id)
assert collection.can_read and collection.can_write

# Drain, page by page, and let stix2 read what came.
drained, pages = [], 0
for page in as_pages(collection.get_objects, per_request=50):
    pages += 1
    drained += page.get("objects", [])
assert len(drained) == count, (len(drained), count)
assert len({o["id"] for o in drained}) == count
assert pages == -(-count // 50), pages
for o in drained:
    parsed = stix2.parse(o, allow_custom=True)
    assert parsed["id"] == o["id"]

manifest = []
for page in as_pages(collection.get_manifest, per_request=70):
    manifest += page.get("objects", [])
assert [m["id"] for m in manifest] == [o["id"] for o in drained]
assert sorted(m["date_added"] for m in manifest) == [m["date_added"] for m in manifest]

# Filters.
first = drained[0]
assert [o["id"] for o in collection.get_objects(id=first["id"])["objects"]] == [first["id"]]
of_type = collection.get_objects(type=first["type"], limit=count)["objects"]
assert {o["type"] for o in of_type} == {first["type"]} and of_type
later = collection.get_objects(added_after=manifest[-3]["date_added"])["objects"]
assert [o["id"] for o in later] == [m["id"] for m in manifest[-2:]]
assert collection.get_objects(added_after=manifest[-1]["date_added"]) == {}
assert collection.get_objects(spec_version="2.0") == {}
assert collection.get_object(first["id"])["objects"] == [first]

# Post, and ask for the status.
old = stix2.Indicator(pattern="[ipv4-addr:value = '192.0.2.7']", pattern_type="stix", created="2024-01-01T00:00:00Z",
                      modified="2024-01-01T00:00:00Z", valid_from="2024-01-01T00:00:00Z")
new = old.new_version(name="seen again")
ip = stix2.IPv4Address(value="192.0.2.7")
import json
status = collection.add_objects({"objects": [json.loads(o.serialize()) for o in (old, new, ip)] + [{"type": "broken"}]})
assert status.status == "complete" and status.success_count == 3 and status.failure_count == 1, status._raw
status.refresh()
assert root.get_status(status.id).success_count == 3
assert stix2.parse(collection.get_object(old.id)["objects"][0]).name == "seen again"
assert len(collection.object_versions(old.id)["versions"]) == 2
assert len(collection.get_object(old.id, version="all")["objects"]) == 2
assert len(collection.get_object(old.id, version="first")["objects"]) == 1

# Poll: what came since.
polled = collection.get_objects(added_after=manifest[-1]["date_added"], version="all")["objects"]
assert sorted(o["id"] for o in polled) == sorted([old.id, old.id, ip.id]), polled

# stix2's own way to a collection.
store = stix2.TAXIICollectionStore(Collection(collection.url, user=user, password=password))
assert store.get(ip.id).value == "192.0.2.7"
assert len(store.query([stix2.Filter("type", "=", "ipv4-addr")])) >= 1

# Delete.
collection.delete_object(old.id)
try:
    collection.get_object(old.id)
    sys.exit("what was deleted is still there")
except requests.exceptions.HTTPError as e:
    assert e.response.status_code == 404
    assert e.response.json()["http_status"] == "404"
try:
    Server(address, user=user, password="wrong").refresh()
    sys.exit("a wrong password was taken")
except requests.exceptions.HTTPError as e:
    assert e.response.status_code == 401
print("ok", count, "objects in", pages, "pages")
