"""Told to Schemathesis beside a token: what these descriptions say in words
only: the answer to who sends no token, and that a null in a part takes a member out."""

import schemathesis

import lib.token_hook


@schemathesis.hook
def before_load_schema(context, schema):
    # Every operation asks for a token by its `security`, and most of these files have no 401 for who sends none.
    for methods in schema.get("paths", {}).values():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                operation["responses"].setdefault("401", {"description": "No token, or none that holds"})
            # "Payload content is a partial object compliant with RFC7396": a member that is null is taken out. Only one that is
            # not needed, and what is not taken out has its shape.
            if method == "patch":
                content = operation["requestBody"]["content"]["application/json"]
                name = content["schema"]["$ref"].split("/")[-1]
                whole = schema["components"]["schemas"][name]
                needed = set(whole.get("required", []))
                members = {
                    member: shape if member in needed else {"anyOf": [shape, {"enum": [None], "nullable": True}]}
                    for member, shape in whole["properties"].items()
                }
                content["schema"] = whole | {"properties": members, "required": []}
