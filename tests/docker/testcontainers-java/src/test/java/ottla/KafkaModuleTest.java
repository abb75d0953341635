package ottla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.testcontainers.containers.Container;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.kafka.ConfluentKafkaContainer;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/** What the module's own tests ask of the images that it knows, asked of ours. */
class KafkaModuleTest {
    private static DockerImageName imageInPlaceOf(String known) {
        return DockerImageName.parse(System.getenv("OTTLA_IMAGE")).asCompatibleSubstituteFor(known);
    }

    @ParameterizedTest
    @ValueSource(strings = {"apache/kafka", "apache/kafka-native"})
    void topicIsCreatedWrittenAndReadByAGroup(String known) throws Exception {
        try (KafkaContainer kafka = new KafkaContainer(imageInPlaceOf(known))) {
            kafka.start();
            useIt(kafka.getBootstrapServers());
        }
    }

    @Test
    void itStandsInForConfluentsImageToo() throws Exception {
        try (var kafka = new ConfluentKafkaContainer(imageInPlaceOf("confluentinc/cp-kafka"))) {
            kafka.start();
            useIt(kafka.getBootstrapServers());
        }
    }

    /** A further listener, by which another container on the same network reaches the broker. */
    @Test
    void anotherContainerUsesAListenerOfItsOwn() throws Exception {
        try (Network network = Network.newNetwork();
                KafkaContainer kafka = new KafkaContainer(imageInPlaceOf("apache/kafka"))
                        .withListener("kafka:19092")
                        .withNetwork(network);
                GenericContainer<?> client = new GenericContainer<>(System.getenv("OTTLA_IMAGE"))
                        .withNetwork(network)
                        .withCommand("sleep", "600")) {
            kafka.start();
            client.start();
            shell(client, "echo 'said by a container' | kafka-console-producer.sh --bootstrap-server kafka:19092 --topic msgs");
            String heard = shell(client, "kafka-console-consumer.sh --bootstrap-server kafka:19092 --topic msgs"
                    + " --from-beginning --max-messages 1");
            assertTrue(heard.contains("said by a container"), heard);
            useIt(kafka.getBootstrapServers());
        }
    }

    private static String shell(GenericContainer<?> container, String line) throws Exception {
        Container.ExecResult done = container.execInContainer("sh", "-c", line);
        assertEquals(0, done.getExitCode(), done.toString());
        return done.getStdout();
    }

    /** A topic, a record, and a member of a group that gets it. */
    private static void useIt(String bootstrap) throws Exception {
        String topic = "messages-" + UUID.randomUUID();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
                var producer = new KafkaProducer<>(
                        Map.<String, Object>of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer());
                var consumer = new KafkaConsumer<>(
                        Map.<String, Object>of(
                                "bootstrap.servers", bootstrap,
                                "group.id", "tc-" + UUID.randomUUID(),
                                "auto.offset.reset", "earliest"),
                        new StringDeserializer(),
                        new StringDeserializer())) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get(30, TimeUnit.SECONDS);
            consumer.subscribe(List.of(topic));
            producer.send(new ProducerRecord<>(topic, "key", "value")).get(30, TimeUnit.SECONDS);
            List<String> heard = new ArrayList<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (heard.isEmpty() && System.nanoTime() < deadline) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    heard.add(record.topic() + " " + record.key() + " " + record.value());
                }
            }
            assertEquals(List.of(topic + " key value"), heard);
            consumer.unsubscribe();
        }
    }
}
