import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.TaskMetadata;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/**
 * Counts words: {@code WordCount BOOTSTRAP APPLICATION STATE_DIR INPUT OUTPUT [KEY=VALUE...]}. Keys are those of Kafka Streams.
 *
 * <p>The counts are in the store {@code counts}, and every change of one goes to OUTPUT, word and number as text. What the
 * instance knows is served over HTTP as JSON, at a port that it says on stdout, {@code port N}:
 *
 * <ul>
 *   <li>{@code /counts}: what its own share of the store holds, {@code {WORD: NUMBER}}; 503 while there is none
 *   <li>{@code /tasks}: {@code {"state": ..., "active": [TASK...], "standby": [TASK...]}}
 *   <li>{@code /restored}: how many records were read from the changelog for each of its partitions
 * </ul>
 *
 * SIGTERM closes it.
 */
public class WordCount {
    private static final String STORE = "counts";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<Integer, Long> restored = new ConcurrentHashMap<>();

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("application.id", arguments[1]);
        settings.put("state.dir", arguments[2]);
        settings.put("default.key.serde", Serdes.StringSerde.class.getName());
        settings.put("default.value.serde", Serdes.StringSerde.class.getName());
        for (String setting : List.of(arguments).subList(5, arguments.length)) {
            String[] pair = setting.split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(arguments[3])
            .flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((key, word) -> word)
            .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(STORE)
                .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
            .toStream()
            .mapValues(count -> count.toString())
            .to(arguments[4]);
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setGlobalStateRestoreListener(new Restored());
        streams.setUncaughtExceptionHandler(failure -> {
            System.out.println("failed: " + failure);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });

        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/counts", exchange -> answer(exchange, () -> counts(streams)));
        server.createContext("/tasks", exchange -> answer(exchange, () -> tasks(streams)));
        server.createContext("/restored", exchange -> answer(exchange, () -> restored));
        server.setExecutor(null);
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        System.out.println("port " + server.getAddress().getPort());
    }

    private static Map<String, Long> counts(KafkaStreams streams) {
        ReadOnlyKeyValueStore<String, Long> store = streams.store(
            StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.keyValueStore()));
        Map<String, Long> counts = new TreeMap<>();
        try (var all = store.all()) {
            all.forEachRemaining(one -> counts.put(one.key, one.value));
        }
        return counts;
    }

    private static Map<String, Object> tasks(KafkaStreams streams) {
        Set<String> active = new TreeSet<>();
        Set<String> standby = new TreeSet<>();
        streams.metadataForLocalThreads().forEach(thread -> {
            active.addAll(names(thread.activeTasks()));
            standby.addAll(names(thread.standbyTasks()));
        });
        return Map.of("state", streams.state().name(), "active", active, "standby", standby);
    }

    private static Set<String> names(Set<TaskMetadata> tasks) {
        return tasks.stream().map(task -> task.taskId().toString()).collect(Collectors.toSet());
    }

    private interface Answer {
        Object get();
    }

    private static void answer(HttpExchange exchange, Answer answer) throws IOException {
        int code = 200;
        byte[] body = {};
        try {
            body = JSON.writeValueAsBytes(answer.get());
        } catch (InvalidStateStoreException notYet) {
            code = 503;
        }
        exchange.sendResponseHeaders(code, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static class Restored implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition partition, String store, long start, long end) {
            restored.putIfAbsent(partition.partition(), 0L);
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long records) {
            // Counted as a whole at the end.
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long records) {
            restored.merge(partition.partition(), records, Long::sum);
        }
    }
}
