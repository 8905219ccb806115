"""Times the OASIS validator over gzipped bundles, by its processor time: one line of "file objects objects/s" each."""
import gzip
import json
import logging
import os
import sys
import time

from stix2validator import ValidationOptions, validate_parsed_json

logging.disable(logging.CRITICAL)
LIMIT = 300  # objects: its time is in proportion to them

for path in sys.argv[1:]:
    bundle = json.load(gzip.open(path))
    bundle["objects"] = bundle["objects"][:LIMIT]
    validate_parsed_json(bundle, ValidationOptions(silent=True))  # schemas are read once
    start = time.process_time()
    validate_parsed_json(bundle, ValidationOptions(silent=True))
    spent = time.process_time() - start
    print(os.path.basename(path), len(bundle["objects"]), round(len(bundle["objects"]) / spent, 1), flush=True)
