"""`GET /metrics`: what is counted anyway, in the form of Prometheus. Labels are words of ours, never a client's."""

from collections.abc import Iterator, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from replay_server.replay.decision import Replay
from replay_server.replay.measures import Histogram, Measures

CONTENT_TYPE = CONTENT_TYPE_LATEST


def metrics(replay: Replay | None) -> bytes:
    """The text of the page. `replay` is None until the cassettes are indexed."""
    registry = CollectorRegistry(auto_describe=False)  # one of its own: a process may hold several servers
    registry.register(_Server(replay))
    return generate_latest(registry)


class _Server(Collector):
    """Makes the metrics when they are asked for."""

    def __init__(self, replay: Replay | None) -> None:
        self._replay = replay
        self._measures = replay.tally.measures if replay else Measures()

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._interactions()
        yield GaugeMetricFamily("replay_server_open_streams", "Streams under way.", self._measures.open_streams)
        yield _by_source("answer_begun_seconds", "To the first byte of an answer.", self._measures.begun)
        yield _by_source("first_event_seconds", "To the first event of a stream.", self._measures.streams_begun)
        lateness = HistogramMetricFamily("replay_server_event_lateness_seconds", "Of an event after it was due.")
        lateness.add_metric([], *_values(self._measures.lateness))
        yield lateness

    def _requests(self) -> Metric:
        labels = ["endpoint", "source", "status"]
        family = CounterMetricFamily("replay_server_requests", "Requests answered.", labels=labels)
        answers = self._replay.tally.answers if self._replay else {}
        for (endpoint, source, status), count in sorted(answers.items()):
            family.add_metric([endpoint, source, str(status)], count)
        return family

    def _interactions(self) -> Metric:
        count = len(self._replay.library) if self._replay else 0
        return GaugeMetricFamily("replay_server_interactions", "Interactions that are loaded.", count)


def _by_source(name: str, about: str, histograms: Mapping[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(f"replay_server_{name}", about, labels=["source"])
    for source, histogram in sorted(histograms.items()):
        family.add_metric([source], *_values(histogram))
    return family


def _values(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    return histogram.buckets(), histogram.total
