"""Recomputes the figures of `earwitness metrics` with scikit-learn and SciPy, and prints the largest difference.

    python -m venv .venv && .venv/bin/pip install numpy scipy scikit-learn
    node src-main/cli/main.ts metrics --cm-scores SCORES --json > metrics.json
    .venv/bin/python bench/peer/metrics.py SCORES metrics.json [--replicates 1000]

SCORES has the six columns of ASVspoof 2019 (speaker, file, -, attack, key, score) or four (file, attack, key, score);
gzip is read too. Who computes what:

    AUC                      sklearn.metrics.roc_auc_score
    average precision        sklearn.metrics.average_precision_score, either class as the positive one
    EER, min DCF             from all points of sklearn.metrics.roc_curve(drop_intermediate=False)
    Cllr, actual DCF         NumPy, from their definitions
    min Cllr                 sklearn.isotonic.IsotonicRegression
    per generator            the same on that generator's spoofs and all bona fide trials
    intervals                a hierarchical bootstrap of its own (speakers, then files, with NumPy's generator); where no
                             speaker is named, scipy.stats.bootstrap for the AUC. Random draws differ, so these are
                             compared in widths of the interval, and only roughly

Exit status 1 if a figure differs by more than 1e-9, or an end of an interval by more than a quarter of its width.
"""

import argparse
import gzip
import json
import sys

import numpy as np
from scipy.stats import bootstrap
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve


def read_scores(path):
    """Returns speakers (or None), attacks, truth (1 for bona fide) and scores."""
    opener = gzip.open if open(path, "rb").read(2) == b"\x1f\x8b" else open
    with opener(path, "rt") as file:
        rows = [line.split() for line in file if line.strip()]
    width = len(rows[0])
    if width not in (4, 6):
        sys.exit(f"{path}: {width} columns; four or six are read here.")
    speakers = np.array([row[0] for row in rows]) if width == 6 else None
    attacks = np.array([row[width - 3] for row in rows])
    truth = np.array([row[width - 2] == "bonafide" for row in rows], dtype=int)
    return speakers, attacks, truth, np.array([float(row[-1]) for row in rows])


def error_rates(truth, scores):
    """False-accept and miss rates at every threshold, from the most lenient to the strictest."""
    false_accept, accept, _ = roc_curve(truth, scores, drop_intermediate=False)
    return false_accept[::-1], 1 - accept[::-1]


def equal_error_rate(truth, scores):
    false_accept, miss = error_rates(truth, scores)
    best = np.argmin(np.abs(miss - false_accept))
    return (miss[best] + false_accept[best]) / 2


def detection_costs(truth, scores, costs):
    """Minimum and actual DCF, normalised as ASVspoof 5's evaluation package does."""
    weight_miss = costs["c_miss"] * (1 - costs["p_spoof"])
    weight_false_accept = costs["c_fa"] * costs["p_spoof"]
    normaliser = min(weight_miss, weight_false_accept)
    false_accept, miss = error_rates(truth, scores)
    least = np.min(weight_miss * miss + weight_false_accept * false_accept)
    threshold = -np.log(weight_miss / weight_false_accept)
    actual = weight_miss * np.mean(scores[truth == 1] < threshold) + weight_false_accept * np.mean(
        scores[truth == 0] >= threshold
    )
    return least / normaliser, actual / normaliser


def cllr(bonafide_llrs, spoof_llrs):
    cost = lambda llrs: np.mean(np.logaddexp(0, -llrs))
    return (cost(bonafide_llrs) + cost(-spoof_llrs)) / 2 / np.log(2)


def minimum_cllr(truth, scores):
    posterior = IsotonicRegression(y_min=0, y_max=1).fit_transform(scores, truth)
    with np.errstate(divide="ignore"):
        llrs = np.log(posterior) - np.log1p(-posterior) - np.log(truth.sum() / (1 - truth).sum())
    return cllr(llrs[truth == 1], llrs[truth == 0])


def figures(truth, scores, costs):
    least, actual = detection_costs(truth, scores, costs)
    return {
        "eer": equal_error_rate(truth, scores),
        "auc": roc_auc_score(truth, scores),
        "average_precision_bonafide": average_precision_score(truth, scores),
        "average_precision_spoof": average_precision_score(1 - truth, -scores),
        "cllr_bits_scores_as_log_lr": cllr(scores[truth == 1], scores[truth == 0]),
        "min_cllr_bits_pav": minimum_cllr(truth, scores),
        "min_dcf": least,
        "act_dcf_scores_as_log_lr": actual,
    }


def intervals(speakers, truth, scores, costs, replicates):
    """Percentile intervals, the basic ones inside [0, 1] for minima, as the product defines them."""
    generator = np.random.default_rng(0)
    minima = ("min_cllr_bits_pav", "min_dcf")
    whole = figures(truth, scores, costs)
    groups = None
    if speakers is not None:
        # A trial whose speaker is unknown stands for itself.
        names = np.array([f"- {k}" if name == "-" else name for k, name in enumerate(speakers)])
        groups = [np.flatnonzero(names == name) for name in np.unique(names)]
    drawn = []
    while len(drawn) < replicates:
        if groups is None:
            chosen = generator.integers(len(scores), size=len(scores))
        else:
            picked = generator.integers(len(groups), size=len(groups))
            chosen = np.concatenate([generator.choice(groups[k], size=len(groups[k])) for k in picked])
        if 0 < truth[chosen].sum() < len(chosen):
            drawn.append(figures(truth[chosen], scores[chosen], costs))
    found = {}
    for name, value in whole.items():
        low, high = np.quantile([replicate[name] for replicate in drawn], [0.025, 0.975])
        if name in minima:
            low, high = max(0, min(value, 2 * value - high)), min(1, 2 * value - low)
        found[name] = (low, high)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores")
    parser.add_argument("json")
    parser.add_argument("--replicates", type=int, default=0, help="also compare intervals; 1000 take a while")
    options = parser.parse_args()
    speakers, attacks, truth, scores = read_scores(options.scores)
    with open(options.json) as file:
        ours = json.load(file)
    costs = ours["dcf"]

    pairs = [(name, value, ours[name]) for name, value in figures(truth, scores, costs).items()]
    for entry in ours["generators"]:
        chosen = (truth == 1) | ((truth == 0) & (attacks == entry["generator"]))
        name = entry["generator"]
        pairs.append((f"EER, {name}", equal_error_rate(truth[chosen], scores[chosen]), entry["eer"]))
        pairs.append((f"AUC, {name}", roc_auc_score(truth[chosen], scores[chosen]), entry["auc"]))
    for name, theirs, value in pairs:
        print(f"{name:34} {theirs:.12f} {value:.12f} {abs(theirs - value):.1e}")
    largest = max(abs(theirs - value) for _, theirs, value in pairs)
    print(f"largest difference {largest:.1e}")

    farthest = 0.0
    if options.replicates > 0 and ours["intervals"]:
        found = intervals(speakers, truth, scores, costs, options.replicates)
        if speakers is None:
            auc = lambda bonafide, spoof: roc_auc_score(
                np.r_[np.ones(len(bonafide)), np.zeros(len(spoof))], np.r_[bonafide, spoof]
            )
            result = bootstrap(
                (scores[truth == 1], scores[truth == 0]), auc, vectorized=False, method="percentile",
                n_resamples=options.replicates, random_state=0,
            )
            found["auc"] = tuple(result.confidence_interval)
        for name, (low, high) in found.items():
            own = ours["intervals"][name]
            width = max(high - low, own[1] - own[0])
            apart = max(abs(low - own[0]), abs(high - own[1])) / width if width > 0 else 0.0
            farthest = max(farthest, apart)
            print(f"{name:34} [{low:.5f}, {high:.5f}] [{own[0]:.5f}, {own[1]:.5f}] {apart:.2f} of the width")
        print(f"intervals apart by at most {farthest:.2f} of their width")
    sys.exit(1 if largest > 1e-9 or farthest > 0.25 else 0)


if __name__ == "__main__":
    main()
