#!/usr/bin/env python3
"""kubernetes.py [--sidecar-as-container] [NAME=VALUE...]: makes what "kubectl kustomize" prints
into what "podman kube play" plays, from standard input to standard output.

podman plays Deployments, ConfigMaps and Secrets, but of one replica, and no native
sidecar: an init container with restartPolicy and probes is refused.
--sidecar-as-container makes ordinary containers of these and changes nothing else; who
uses it has to start them in the order that the kubelet would.  NAME=VALUE replaces a
text in all of it: an address, a password.
"""

import sys

import yaml


def main():
    arguments = sys.argv[1:]
    documents = list(yaml.safe_load_all(sys.stdin))
    deployments = [document["spec"] for document in documents if document["kind"] == "Deployment"]
    for deployment in deployments:
        deployment["replicas"] = 1
    if "--sidecar-as-container" in arguments:
        arguments.remove("--sidecar-as-container")
        for deployment in deployments:
            pod = deployment["template"]["spec"]
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
