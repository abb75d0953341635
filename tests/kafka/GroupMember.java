import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A consumer of a group: {@code GroupMember BOOTSTRAP GROUP TOPIC PROTOCOL [KEY=VALUE...]}. TOPIC is one topic; with the
 * protocol {@code consumer} it may be {@code re2:} and a regular expression that the broker looks at. Keys are the consumer's.
 *
 * <p>It processes records one by one, commits after each, and says what it does on stdout as {@code harness.member} does, a
 * JSON object a line: {@code {"assigned": [partitions]}}, {@code {"revoked": [...]}}, {@code {"got": [partition, offset,
 * value]}}, {@code {"committed": [partition, offset]}}, {@code {"uncommitted": why}}. A record with the value {@code pause}
 * makes it sleep beyond its poll interval once. SIGTERM makes it leave its group and end.
 */
public class GroupMember {
    private static final Duration POLL = Duration.ofMillis(200);
    private static volatile boolean isOver = false;

    public static void main(String[] arguments) throws Exception {
        Thread member = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            isOver = true;
            try {
                member.join();
            } catch (InterruptedException ended) {
                // The machine does not wait for who leaves.
            }
        }));
        Map<String, Object> settings = new HashMap<>(Map.of(
            "bootstrap.servers", arguments[0],
            "group.id", arguments[1],
            "group.protocol", arguments[3],
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false",
            "max.poll.records", "1",
            "max.poll.interval.ms", "300000",
            "reconnect.backoff.ms", "10",
            "reconnect.backoff.max.ms", "200"));
        if (arguments[3].equals("classic")) {
            settings.put("session.timeout.ms", "6000");
            settings.put("heartbeat.interval.ms", "500");
        }
        for (String setting : List.of(arguments).subList(4, arguments.length)) {
            String[] pair = setting.split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        long pause = Long.parseLong(settings.get("max.poll.interval.ms").toString()) + 3000;
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            if (arguments[2].startsWith("re2:")) {
                consumer.subscribe(new SubscriptionPattern(arguments[2].substring(4)), new Listener());
            } else {
                consumer.subscribe(List.of(arguments[2]), new Listener());
            }
            while (!isOver) {
                for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                    say("got", "[%d, %d, %s]".formatted(record.partition(), record.offset(), quoted(record.value())));
                    if (record.value().equals("pause") && pause > 0) {
                        Thread.sleep(pause);
                        pause = 0;
                    }
                    commit(consumer, record);
                }
            }
        }
    }

    private static void commit(KafkaConsumer<String, String> consumer, ConsumerRecord<String, String> record) {
        var place = new TopicPartition(record.topic(), record.partition());
        try {
            consumer.commitSync(Map.of(place, new OffsetAndMetadata(record.offset() + 1)));
            say("committed", "[%d, %d]".formatted(record.partition(), record.offset() + 1));
        } catch (KafkaException error) {
            // Somebody else processes it again; or the broker is away, and a later commit covers it.
            say("uncommitted", quoted(error.toString()));
        }
    }

    private static class Listener implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            say("assigned", numbers(partitions));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            say("revoked", numbers(partitions));
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            say("revoked", numbers(partitions));
        }
    }

    private static String numbers(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::partition).sorted().map(String::valueOf)
            .collect(Collectors.joining(", ", "[", "]"));
    }

    private static String quoted(String text) {
        var quoted = new StringBuilder("\"");
        for (char letter : text.toCharArray()) {
            if (letter == '"' || letter == '\\') {
                quoted.append('\\').append(letter);
            } else if (letter < ' ') {
                quoted.append("\\u%04x".formatted((int) letter));
            } else {
                quoted.append(letter);
            }
        }
        return quoted.append('"').toString();
    }

    private static void say(String what, String value) {
        System.out.println("{\"" + what + "\": " + value + "}");
        System.out.flush();
    }
}
