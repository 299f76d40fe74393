"""Paths of tags, for the scripts of the CRF and of the heads that use it."""

import torch


def allowed_path(allowed, length, tags):
    """A random path of allowed transitions; the tag 0 may follow and be followed by all."""
    path = []
    for t in range(length):
        options = [tag for tag in range(tags) if (allowed["start"][tag] if t == 0 else allowed["between"][path[-1], tag])
                   and (t + 1 < length or allowed["end"][tag])]
        path.append(options[int(torch.randint(len(options), ()))])
    return path
