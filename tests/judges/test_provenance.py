# SPDX-License-Identifier: Apache-2.0
"""Provenance as in-toto's own types read it (in-toto-attestation of PyPI, on PYTHONPATH): a field that they do not know is refused.
Where it is not there the test is left out, which it says."""

import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import Case, run  # noqa: E402  pylint: disable=wrong-import-position

try:
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement
    MISSING = None
except ImportError as missing:
    MISSING = f"left out: {missing} (PYTHONPATH)"


@unittest.skipIf(MISSING, MISSING)
class InToto(Case):
    def test_statement_and_predicate_are_read_whole(self):
        self.ready()
        self.build()
        result = self.factory.run_plain("provenance", os.path.join(self.factory.output, "served"))
        self.assertEqual(result.code, run.OK, result)
        document = json.loads(result.stdout)
        statement = json_format.ParseDict(document, statement_pb2.Statement())
        Statement.copy_from_pb(statement).validate()
        predicate = json_format.ParseDict(document["predicate"], provenance_pb2.Provenance())
        self.assertEqual(len(predicate.build_definition.resolved_dependencies),
                         len(document["predicate"]["buildDefinition"]["resolvedDependencies"]))
        self.assertEqual(json_format.MessageToDict(predicate)["runDetails"], document["predicate"]["runDetails"])


if __name__ == "__main__":
    unittest.main()
