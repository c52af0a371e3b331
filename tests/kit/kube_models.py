# SPDX-License-Identifier: Apache-2.0
"""Objects of Kubernetes through the models of its own client (python3-kubernetes): what they have no place for is lost on the way."""

import json


class Answer:
    """As the client's deserialize() wants it."""

    def __init__(self, document):
        self.data = json.dumps(document)


def given(value):
    """Without the members that are None: the models have one for everything."""
    if isinstance(value, dict):
        return {key: given(member) for key, member in value.items() if member is not None}
    return [given(item) for item in value] if isinstance(value, list) else value


class Models:
    """ImportError when the client is not here. `names` are the models of kinds."""

    def __init__(self, names):
        import kubernetes  # pylint: disable=import-outside-toplevel
        import yaml  # pylint: disable=import-outside-toplevel
        self.names, self.api, self.yaml = names, kubernetes.client.ApiClient(), yaml

    def pairs(self, path):
        """Yields each document of a file, and what the model of its kind makes of it."""
        with open(path, encoding="utf-8") as stream:
            for document in self.yaml.safe_load_all(stream):
                model = self.api.deserialize(Answer(document), self.names[document["kind"]])
                yield document, given(self.api.sanitize_for_serialization(model))
