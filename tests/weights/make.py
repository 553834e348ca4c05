"""Makes the small PyTorch files that the tests read: `pip install torch`, then `python make.py` in this
folder. Only PyTorch can write them as PyTorch writes them."""

import collections

import torch

a = torch.arange(6, dtype=torch.float32).reshape(2, 3)
state = collections.OrderedDict(
    {
        "module.a.weight": torch.nn.Parameter(a),
        "module.b": torch.tensor([0.5, -1.25], dtype=torch.float64),
        "module.half": torch.tensor([1.0, -2.0, 1 / 3], dtype=torch.float16),
        "module.scalar": torch.tensor(7.0),
        "module.t": a.t(),
        "module.shared": a[1],
        "module.num_batches_tracked": torch.tensor(5),
    }
)
# A tensor beside the network, as PyTorch's own training example leaves one.
checkpoint = {"epoch": 3, "best_acc1": torch.tensor(0.5), "state_dict": state, "note": None}
torch.save(checkpoint, "checkpoint.pth")
torch.save(checkpoint, "legacy.pth", _use_new_zipfile_serialization=False)
