#!/usr/bin/env python3
"""kubernetes.py FOLDER [--sidecar-as-container] [NAME=VALUE...]: what "kubectl apply -k FOLDER"
would apply, on standard output, for "podman kube play".

Kustomize and a cluster are not at hand where the tests run, podman is.  It plays
Deployments, ConfigMaps and Secrets, but no native sidecar: an init container with
restartPolicy and probes is refused.  --sidecar-as-container makes ordinary containers
of these and changes nothing else; who uses it has to start them in the order that the
kubelet would.  NAME=VALUE replaces a text in all of it: an address, a password.

Of kustomize this knows what the folders use, and refuses what it does not know.
"""

import os
import sys

import yaml

KNOWN = {"apiVersion", "kind", "resources", "images", "patches"}


def walk(document, path):
    """The container of the value at a JSON pointer, and its key there."""
    *way, last = path.strip("/").split("/")
    for step in way:
        document = document[int(step) if isinstance(document, list) else step]
    return document, int(last) if isinstance(document, list) else last


def add(document, path, value):
    holder, key = walk(document, path)
    if isinstance(holder, list):
        holder.insert(key, value)
    else:
        holder[key] = value


def patch(document, operations):
    for operation in operations:
        if operation["op"] == "add":
            add(document, operation["path"], operation["value"])
        elif operation["op"] == "remove":
            holder, key = walk(document, operation["path"])
            del holder[key]
        elif operation["op"] == "move":
            holder, key = walk(document, operation["from"])
            add(document, operation["path"], holder.pop(key))
        else:
            sys.exit(f"kubernetes.py: operation {operation['op']} is not known here")


def resources(folder):
    with open(os.path.join(folder, "kustomization.yaml"), encoding="utf-8") as file:
        kustomization = yaml.safe_load(file)
    if unknown := set(kustomization) - KNOWN:
        sys.exit(f"kubernetes.py: {unknown} of {folder} is not known here")
    documents = []
    for name in kustomization["resources"]:
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            documents += resources(path)
        else:
            with open(path, encoding="utf-8") as file:
                documents += yaml.safe_load_all(file)
    for entry in kustomization.get("patches", []):
        target = entry["target"]
        matching = [document for document in documents if document["kind"] == target["kind"]
                    and document["metadata"]["name"] == target["name"]]
        if len(matching) != 1:
            sys.exit(f"kubernetes.py: {target} is {len(matching)} resources")
        patch(matching[0], yaml.safe_load(entry["patch"]))
    images = {image["name"]: f"{image['newName']}:{image['newTag']}"
              for image in kustomization.get("images", [])}
    for container in containers(documents):
        name = container["image"].rsplit(":", 1)[0]
        container["image"] = images.get(name, container["image"])
    return documents


def pods(documents):
    return [document["spec"]["template"]["spec"] for document in documents
            if document["kind"] == "Deployment"]


def containers(documents):
    return [container for pod in pods(documents)
            for container in pod.get("initContainers", []) + pod["containers"]]


def main():
    folder, *arguments = sys.argv[1:]
    documents = resources(folder)
    for document in documents:
        if document["kind"] == "Deployment":
            document["spec"]["replicas"] = 1  # more than one podman does not play
    if "--sidecar-as-container" in arguments:
        arguments.remove("--sidecar-as-container")
        for pod in pods(documents):
            sidecars = pod.pop("initContainers")
            for container in sidecars:
                if container.pop("restartPolicy") != "Always":
                    sys.exit(f"kubernetes.py: {container['name']} is no sidecar")
            pod["containers"] = sidecars + pod["containers"]
    text = yaml.safe_dump_all(documents, sort_keys=False, width=1000)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in text:
            sys.exit(f"kubernetes.py: nothing says {name}")
        text = text.replace(name, value)
    print(text)


main()
