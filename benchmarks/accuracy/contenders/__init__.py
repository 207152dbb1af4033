"""Ways to predict a table, one file a library; `ALL` in the order of the tables."""

from __future__ import annotations

from benchmarks.accuracy.contenders.base import Allowance, Contender, Fitted

OURS = "hyperband"

ALL: dict[str, Contender] = {
    OURS: Contender("hyperband", "ours"),
    "lightgbm-tuned": Contender("LightGBM, tuned", "lightgbm_tuned", ("lightgbm", "optuna")),
    "catboost": Contender("CatBoost", "catboost_default", ("catboost",)),
    "xgboost-tuned": Contender("XGBoost, tuned", "xgboost_tuned", ("xgboost", "optuna")),
    "realmlp-td": Contender("RealMLP-TD", "pytabkit_networks", ("pytabkit", "torch"), {"estimator": "RealMLP_TD"}),
    "realmlp-td-s": Contender(
        "RealMLP-TD-S", "pytabkit_networks", ("pytabkit", "torch"), {"estimator": "RealMLP_TD_S"}
    ),
    "tabm-d": Contender("TabM-D", "pytabkit_networks", ("pytabkit", "torch"), {"estimator": "TabM_D"}),
    "optuna-mlp": Contender("Optuna + PyTorch MLP", "optuna_mlp", ("torch", "optuna")),
    "sklearn-mlp": Contender("scikit-learn MLP", "sklearn_mlp"),
}
#: What stands before the name of a variant of ours in the records of the ablation.
VARIANT = "ablation: "


def find(name: str) -> Contender:
    """A contender of `ALL`, or a variant of ours."""
    if name.startswith(VARIANT):
        return Contender(name, "ours", options={"variant": name.removeprefix(VARIANT)})
    return ALL[name]


__all__ = ["ALL", "Allowance", "Contender", "Fitted", "OURS", "VARIANT", "find"]
