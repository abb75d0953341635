import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.telemetry.internals.ClientTelemetryUtils;
import org.apache.kafka.server.telemetry.ClientTelemetry;
import org.apache.kafka.server.telemetry.ClientTelemetryReceiver;

/**
 * The plugin that Kafka needs to ask clients for their metrics. Prints a line for each push: the client, whether it is its last one,
 * and the names of the metrics.
 */
public class TelemetryReporter implements MetricsReporter, ClientTelemetry {
    @Override
    public ClientTelemetryReceiver clientReceiver() {
        return (context, payload) -> {
            var names = new TreeSet<String>();
            var metrics = ClientTelemetryUtils.deserializeMetricsData(payload.data());
            metrics.getResourceMetricsList().forEach(resource -> resource.getScopeMetricsList().forEach(
                scope -> scope.getMetricsList().forEach(metric -> names.add(metric.getName()))));
            System.out.println("pushed by " + context.clientId() + ": last=" + payload.isTerminating() + " " + String.join(" ", names));
        };
    }

    @Override
    public void init(List<KafkaMetric> metrics) {
    }

    @Override
    public void metricChange(KafkaMetric metric) {
    }

    @Override
    public void metricRemoval(KafkaMetric metric) {
    }

    @Override
    public void close() {
    }

    @Override
    public void configure(Map<String, ?> configs) {
    }
}
