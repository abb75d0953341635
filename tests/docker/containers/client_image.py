"""An image for clients that is made from this machine, since no registry may be at hand: it is empty but for links to what
the machine has, which is seen in containers as `/host` (`--volume /:/host:ro`)."""

import io
import os
import pathlib
import shutil
import sys
import tarfile

from containers.engine import docker, new_name

# Directories that a container has itself; what is needed below them is linked one by one.
OWN = ("dev", "etc", "proc", "run", "sys", "tmp", "var")
# What programs look for in /etc.
ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl", "ca-certificates", "passwd", "group", "nsswitch.conf")


def needed():
    """What clients run from."""
    places = [sys.prefix, sys.base_prefix, pathlib.Path(__file__).resolve().parents[3]]
    if java := shutil.which("java"):
        places.append(pathlib.Path(java).resolve().parents[1])
    return [pathlib.Path(place) for place in places]


def links():
    """Paths in the container that are links into `/host`."""
    found = {pathlib.Path("/") / entry for entry in os.listdir("/") if entry not in OWN and entry != "host"}
    found |= {pathlib.Path("/etc") / name for name in ETC}
    found |= set(pathlib.Path("/etc").glob("java*"))
    for place in needed():
        for path in (place.absolute(), place.resolve()):
            top = path.parts[1]
            if top in OWN:
                found.add(pathlib.Path(*path.parts[:3]))
    return sorted(path for path in found if os.path.lexists(path))


def make():
    """Makes the image; gives its name."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name in (*OWN, "host"):
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(directory)
        for path in links():
            link = tarfile.TarInfo(str(path.relative_to("/")))
            link.type, link.linkname = tarfile.SYMTYPE, f"/host{path}"
            tar.addfile(link)
    name = new_name("client")
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    docker("import", "--change", f"ENV {path}", "-", name, input=content.getvalue())
    return name
