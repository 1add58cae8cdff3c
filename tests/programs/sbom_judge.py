"""Judges a bill of materials by the validators of its format's own libraries: prints each fault, and fails if there is one."""

import json
import sys


def cyclonedx(path):
    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = open(path, encoding="utf-8").read()
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if found:
        yield str(found)
    # References that lead nowhere are not the schema's business.
    Bom.from_json(json.loads(text)).validate()


def spdx(path):
    from ntia_conformance_checker import SbomChecker
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    for message in validate_full_spdx_document(parse_file(path)):
        yield message.validation_message
    if not SbomChecker(path).compliant:
        yield "it lacks some of NTIA's minimum elements"


faults = list({"cyclonedx": cyclonedx, "spdx": spdx}[sys.argv[1]](sys.argv[2]))
print("\n".join(faults) or "valid")
sys.exit(bool(faults))
