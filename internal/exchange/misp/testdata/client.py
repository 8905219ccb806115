"""What PyMISP makes of events: `write` prints events of its own, `read FILE` loads a document and prints it again."""
import json
import sys
import uuid

from pymisp import MISPEvent, MISPObject

VALUES = {
    "ip-dst": "192.0.2.45", "ip-src": "2001:db8::45", "domain": "updates.example", "hostname": "www.updates.example",
    "url": "http://updates.example/a?b=c", "md5": "d41d8cd98f00b204e9800998ecf8427e",
    "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "filename": "invoice.exe",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "filename|md5": "invoice.exe|d41d8cd98f00b204e9800998ecf8427e", "ip-dst|port": "192.0.2.45|8443",
    "domain|ip": "updates.example|192.0.2.45", "email-src": "a@updates.example", "mutex": "Global\\x", "AS": "AS65000",
    "regkey": "HKEY_LOCAL_MACHINE\\Software\\x", "user-agent": "Mozilla/5.0 (x)", "mac-address": "00:00:5e:00:53:01",
    "ja3-fingerprint-md5": "e7d705a3286e19ea42f587b344ee6865", "yara": "rule a { condition: true }",
    "vulnerability": "CVE-2024-1234", "comment": "a note\nof two lines", "link": "https://report.example/1", "btc": "1Boat",
}


def write():
    event = MISPEvent()
    event.uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, "mithaq"))
    event.info = "Written by PyMISP"
    event.set_date("2024-05-01")
    event.distribution, event.threat_level_id, event.analysis = 1, 2, 1
    event.add_tag("tlp:amber")
    event.add_tag("PAP:GREEN")
    for i, (kind, value) in enumerate(VALUES.items()):
        attribute = event.add_attribute(kind, value, comment=f"number {i}", first_seen="2024-01-01T10:00:00+00:00",
                                        last_seen="2024-02-01T10:00:00.5+00:00")
        attribute.add_sighting({"type": "0", "date_sighting": 1714600000 + i, "source": "test"})
    event.add_attribute("domain", "deleted.example", deleted=True)
    thing = MISPObject("domain-ip")
    thing.add_attribute("domain", "object.example")
    thing.add_attribute("ip", "192.0.2.46")
    event.add_object(thing)
    thing.add_reference(event.attributes[0].uuid, "connected-to", comment="why")
    event.add_galaxy({"uuid": "698774c7-8022-42c4-917f-8d6e4f06ada3", "name": "Threat Actor", "type": "threat-actor",
                      "description": "x", "version": "3", "GalaxyCluster": [{
                          "uuid": "5b4ee3ea-eee3-4c8e-8323-85ae32658754", "type": "threat-actor", "value": "Sofacy",
                          "tag_name": 'misp-galaxy:threat-actor="Sofacy"', "description": "x", "source": "s",
                          "authors": ["a"], "meta": {"synonyms": ["APT 28"]}}]})
    print(json.dumps({"Event": json.loads(event.to_json())}))


def read(name):
    out = []
    with open(name, encoding="utf-8") as file:
        document = json.load(file)
    for one in document.get("response", [document]):
        event = MISPEvent()
        event.load(json.dumps(one))
        for attribute in event.attributes:
            assert attribute.type in event.describe_types["types"], attribute.type
        out.append({"Event": json.loads(event.to_json())})
    print(json.dumps({"response": out}))


if __name__ == "__main__":
    write() if sys.argv[1] == "write" else read(sys.argv[2])
