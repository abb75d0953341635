import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes ten records, each of them once whatever happens to the connection or the broker, and prints where each one is:
 * {@code PARTITION:OFFSET}.
 *
 * <p>Java runs it from its source; the libraries are {@code org.apache.kafka:kafka-clients} and what it depends on:
 *
 * <pre>
 * java -cp 'libs/*' IdempotentProducer.java 127.0.0.1:9092 my-topic
 * </pre>
 */
public class IdempotentProducer {
    public static void main(String[] arguments) {
        if (arguments.length != 2) {
            System.err.println("usage: IdempotentProducer BOOTSTRAP_SERVERS TOPIC");
            System.exit(2);
        }
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", arguments[0],
            // These two are the defaults. Written down, a setting that contradicts them is an error.
            "enable.idempotence", "true",
            "acks", "all",
            // For how long a record is tried again before its failure is reported.
            "delivery.timeout.ms", "120000");
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int number = 0; number < 10; number++) {
                sent.add(producer.send(new ProducerRecord<>(arguments[1], "key-" + number, "example-" + number)));
            }
            // A record is stored once its future is done; a failure of any of them ends the program.
            for (Future<RecordMetadata> record : sent) {
                RecordMetadata where = record.get();
                System.out.println(where.partition() + ":" + where.offset());
            }
        } catch (KafkaException | ExecutionException | InterruptedException failure) {
            System.err.println("not all records were stored: " + failure.getMessage());
            System.exit(1);
        }
    }
}
